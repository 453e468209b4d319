CREATE TABLE user (id VARCHAR(64));
CREATE VIEW alembic_version AS SELECT '29e87d24a316' AS version_num;
