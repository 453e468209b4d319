PRAGMA encoding = 'UTF-16';
CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num VARCHAR(32));
INSERT INTO alembic_version VALUES ('29e87d24a316');
INSERT INTO alembic_version VALUES ('e25ffa003242');
