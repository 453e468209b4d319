CREATE TABLE user (id VARCHAR(64));
CREATE SEQUENCE alembic_version;
