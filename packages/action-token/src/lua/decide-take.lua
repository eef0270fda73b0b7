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
-- ARGV[4] copy        JSON of what who asks knows, empty for nothing
-- ARGV[5] site        the site that this is
-- ARGV[6] asker       the site that asks, empty: this one
-- ARGV[7] endsMs      how long a removal is remembered
-- ARGV[8] aheadMs     how far stamps may be ahead of now
--
-- Returns {reply, state}: what take.lua answers, and JSON of what is known now, nil for nothing; stale: other sites, or another version of them.

-- include: deciding
if not is_member(KEYS[5], ARGV[3]) then
  return 'stale'
end
join_copy(KEYS[1], ARGV[4], ARGV[1], ARGV[5], ARGV[7], ARGV[8])
local function decide()
  -- include: take
end
local reply = decide()
return { reply, state_for(ARGV[6], KEYS[1], ARGV[1], ARGV[5], ARGV[7]) }
