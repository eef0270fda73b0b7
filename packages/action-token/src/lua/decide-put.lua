-- Store a token for all sites.
--
-- KEYS[1] token       see put.lua
-- KEYS[2] realm       zset: tails of the keys of a realm
-- KEYS[3] membership  string: version and sites that this site goes by
-- ARGV[1] now         ms since the epoch
-- ARGV[2] expiresAt   see put.lua
-- ARGV[3] keepMs      see put.lua
-- ARGV[4] onlyAbsent  see put.lua
-- ARGV[5] text        see put.lua
-- ARGV[6] membership  of who asks
-- ARGV[7] copy        JSON of what who asks knows, empty for nothing
-- ARGV[8] site        the site that this is
-- ARGV[9] asker       the site that asks, empty: this one
-- ARGV[10] endsMs     how long a removal is remembered
-- ARGV[11] aheadMs    how far stamps may be ahead of now
--
-- Returns {reply, state}: what put.lua answers, and JSON of what is known now, nil for nothing; stale: other sites, or another version of them.

-- include: deciding
if not is_member(KEYS[3], ARGV[6]) then
  return 'stale'
end
join_copy(KEYS[1], ARGV[7], ARGV[1], ARGV[8], ARGV[10], ARGV[11])
local function decide()
  -- include: put
end
local reply = decide()
return { reply, state_for(ARGV[9], KEYS[1], ARGV[1], ARGV[8], ARGV[10]) }
