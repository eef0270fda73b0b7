-- Join what another site knows of a token with what is known here.
--
-- KEYS[1] token    see put.lua
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] state    JSON, as share answers it
-- ARGV[4] endsMs   how long a removal is remembered
-- ARGV[5] aheadMs  how far stamps may be ahead of now
--
-- Returns changed or same; {gone, JSON of that} when it was told of a token that is gone or refused; newer: a state of a version that
-- is not known here; ahead: a stamp is too far ahead; unreadable: the token here cannot be read. The last three wrote nothing.

-- include: joining
local told = cjson.decode(ARGV[3])
local outcome, state = join_token(KEYS[1], told, tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]))
if outcome == 'gone' then
  state.v = 1
  return { outcome, cjson.encode(state) }
end
return outcome
