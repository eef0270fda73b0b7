-- List who is locked out of a realm in one partition, behind a place, by the end of the lock.
--
-- KEYS[1] locked      zset: 12 characters of a digest and the tail of a key, scored by when the lock ends
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  of the place, 0 at first
-- ARGV[3] afterPlace  digest of the place and '~', empty at first
-- ARGV[4] limit       members wanted
--
-- Returns {member, score...}.

-- include: living-behind
return living_behind(KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
