-- Give a token to one caller of all sites.
--
-- KEYS[1] token       see put.lua
-- KEYS[2] realm       zset: tails of the keys of a realm
-- KEYS[3] families    see take.lua
-- KEYS[4] subjects    see take.lua
-- KEYS[5] membership  string: version and sites that this site goes by
-- ARGV[1] now         ms since the epoch
-- ARGV[2] tail        see take.lua
-- ARGV[3] membership  of who asks
-- ARGV[4] copy  JSON of what who asks knows, empty for nothing
-- ARGV[5] site  the site that this is
-- ARGV[6] asker  the site that asks, empty: this one
-- ARGV[7] others  all other sites, who asks included, with commas between
-- ARGV[8] endsMs  how long a removal is remembered
-- ARGV[9] aheadMs  how far stamps may be ahead of now
--
-- Returns {reply, state}, or stale: see lib/deciding.lua. The reply is what take.lua answers.

-- include: deciding
return decided(KEYS[1], KEYS[5], 3, true, function()
  -- include: take
end)
