-- Count a try of all sites.
--
-- KEYS[1] count       see count-use.lua
-- KEYS[2] realm       zset: tails of the keys of a realm
-- KEYS[3] membership  string: version and sites that this site goes by
-- ARGV[1] now         ms since the epoch
-- ARGV[2] windowMs    see count-use.lua
-- ARGV[3] graceMs     see count-use.lua
-- ARGV[4] tail        see count-use.lua
-- ARGV[5] membership  of who asks
--
-- Returns what count-use.lua answers; stale: other sites, or another version of them.

if redis.call('GET', KEYS[3]) ~= ARGV[5] then
  return 'stale'
end
-- include: count-use
