CREATE TABLE user (id VARCHAR(64));
CREATE TABLE migrate_version (repository_id VARCHAR(250), repository_path TEXT, version INTEGER);
INSERT INTO migrate_version VALUES ('keystone', NULL, 109);
INSERT INTO migrate_version VALUES ('keystone_contract', NULL, 79);
INSERT INTO migrate_version VALUES ('keystone_data_migrate', NULL, 79);
INSERT INTO migrate_version VALUES ('keystone_expand', NULL, 79);
CREATE TABLE alembic_version (version_num VARCHAR(32));
INSERT INTO alembic_version VALUES ('29e87d24a316');
INSERT INTO alembic_version VALUES ('e25ffa003242');
