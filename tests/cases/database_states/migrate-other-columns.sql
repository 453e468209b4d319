CREATE TABLE user (id VARCHAR(64));
CREATE TABLE migrate_version (name TEXT, number INTEGER);
INSERT INTO migrate_version VALUES ('keystone', 67);
