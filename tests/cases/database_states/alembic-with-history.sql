CREATE TABLE user (id VARCHAR(64));
CREATE TABLE alembic_version (version_num VARCHAR(32)) WITH SYSTEM VERSIONING;
INSERT INTO alembic_version VALUES ('e25ffa003242');
INSERT INTO alembic_version VALUES ('27e647c0fad4');
UPDATE alembic_version SET version_num = '29e87d24a316' WHERE version_num = '27e647c0fad4';
