CREATE TABLE user (id VARCHAR(64));
CREATE TABLE migrate_version (repository_id VARCHAR(250), repository_path TEXT, version INTEGER);
INSERT INTO migrate_version VALUES ('keystone', NULL, 109);
INSERT INTO migrate_version VALUES ('keystone_contract', NULL, 24);
INSERT INTO migrate_version VALUES ('keystone_data_migrate', NULL, 16);
INSERT INTO migrate_version VALUES ('keystone_expand', NULL, 16);
