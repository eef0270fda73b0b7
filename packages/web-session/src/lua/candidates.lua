-- List sessions that may bear an alias, behind a place.
--
-- KEYS[1] pointer     zset: ids of sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  of the place, 0 at first
-- ARGV[3] afterId     of the place, empty at first
-- ARGV[4] limit       ids wanted
--
-- Returns {id, score...}; fewer than were wanted at the end.

-- include: living-behind
return living_behind(KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
