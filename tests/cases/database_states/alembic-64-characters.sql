CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num TEXT);
INSERT INTO alembic_version VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
