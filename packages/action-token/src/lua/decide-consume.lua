-- Redeem a token for all sites.
--
-- KEYS[1] token        see put.lua
-- KEYS[2] membership   string: version and sites that this site goes by
-- ARGV[1] now          ms since the epoch
-- ARGV[2] readGraceMs  see consume.lua
-- ARGV[3] attempt      see consume.lua
-- ARGV[4] graceUntil   see consume.lua
-- ARGV[5] successor    see consume.lua
-- ARGV[6] membership   of who asks
-- ARGV[7] copy         JSON of what who asks knows, empty for nothing
-- ARGV[8] site         the site that this is
-- ARGV[9] asker        the site that asks, empty: this one
-- ARGV[10] endsMs      how long a removal is remembered
-- ARGV[11] aheadMs     how far stamps may be ahead of now
--
-- Returns {reply, state}: what consume.lua answers, and JSON of what is known now, nil for nothing; stale: other sites, or another version of them.

-- include: deciding
if not is_member(KEYS[2], ARGV[6]) then
  return 'stale'
end
join_copy(KEYS[1], ARGV[7], ARGV[1], ARGV[8], ARGV[10], ARGV[11])
local function decide()
  -- include: consume
end
local reply = decide()
return { reply, state_for(ARGV[9], KEYS[1], ARGV[1], ARGV[8], ARGV[10]) }
