CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (id INTEGER, version_num VARCHAR(32));
INSERT INTO alembic_version VALUES (1, '29e87d24a316'), (2, 'e25ffa003242');
