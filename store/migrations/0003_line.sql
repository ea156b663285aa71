-- +goose Up

-- The line through the readings of the hour or day, straight between neighbours: the area below it (value × seconds) and
-- how far it rises in all, where a fall is the reset of a counter. NaN: the row was written before this column was there.
ALTER TABLE rollup_hour
    ADD COLUMN area double precision NOT NULL DEFAULT 'NaN',
    ADD COLUMN increase double precision NOT NULL DEFAULT 'NaN';
ALTER TABLE rollup_day
    ADD COLUMN area double precision NOT NULL DEFAULT 'NaN',
    ADD COLUMN increase double precision NOT NULL DEFAULT 'NaN';

-- +goose Down
ALTER TABLE rollup_hour DROP COLUMN area, DROP COLUMN increase;
ALTER TABLE rollup_day DROP COLUMN area, DROP COLUMN increase;
