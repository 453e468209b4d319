CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num BLOB);
INSERT INTO alembic_version VALUES (x'323965383764323461333136');
