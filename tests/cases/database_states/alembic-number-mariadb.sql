CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num INTEGER);
INSERT INTO alembic_version VALUES (47147121);
