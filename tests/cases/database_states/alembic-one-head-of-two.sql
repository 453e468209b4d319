CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num VARCHAR(32));
INSERT INTO alembic_version VALUES ('29e87d24a316');
