CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num VARCHAR(32));
INSERT INTO alembic_version VALUES ('29E87D24A316');
INSERT INTO alembic_version VALUES ('e25ffa003242');
