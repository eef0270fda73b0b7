-- Redeem a token for all sites.
--
-- KEYS[1] token        see put.lua
-- KEYS[2] membership   string: version and sites that this site goes by
-- ARGV[1] now          ms since the epoch
-- ARGV[2] readGraceMs  see consume.lua
-- ARGV[3] attempt      see consume.lua
-- ARGV[4] graceUntil   see consume.lua
-- ARGV[5] successor    see consume.lua
-- ARGV[6] membership  of who asks
-- ARGV[7] copy  JSON of what who asks knows, empty for nothing
-- ARGV[8] site  the site that this is
-- ARGV[9] asker  the site that asks, empty: this one
-- ARGV[10] others  all other sites, who asks included, with commas between
-- ARGV[11] endsMs  how long a removal is remembered
-- ARGV[12] aheadMs  how far stamps may be ahead of now
--
-- Returns {reply, state}, or stale: see lib/deciding.lua. The reply is what consume.lua answers.

-- include: deciding
return decided(KEYS[1], KEYS[2], 6, true, function()
  -- include: consume
end)
