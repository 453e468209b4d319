CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num REAL);
INSERT INTO alembic_version VALUES (4.7);
