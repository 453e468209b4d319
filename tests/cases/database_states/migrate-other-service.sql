CREATE TABLE user (id VARCHAR(64));
CREATE TABLE migrate_version (repository_id VARCHAR(250), repository_path TEXT, version INTEGER);
INSERT INTO migrate_version VALUES ('nova', NULL, 391);
