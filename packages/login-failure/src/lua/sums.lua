-- Add up digests of the living records of a partition, a few at a time, so that two sites can see whether they hold the same.
--
-- KEYS[1] known       zset: names of records that sites know of, scored by when they are forgotten
-- ARGV[1] now         ms since the epoch
-- ARGV[2] site        the site that this is
-- ARGV[3] afterScore  0 at first
-- ARGV[4] afterName   empty at first
-- ARGV[5] limit       how many records
--
-- Returns {place, score, name to go on with, how many live, part, sum...}; the place is empty at the end.

-- include: never, stored, rank-behind, shared, digests
local now, limit, head = tonumber(ARGV[1]), tonumber(ARGV[5]), string.match(KEYS[1], '^(.*{%x%x}:)')
local first = ARGV[4] == '' and 0 or rank_behind(KEYS[1], ARGV[3], ARGV[4])
local found = redis.call('ZRANGE', KEYS[1], first, first + limit - 1, 'WITHSCORES')
local sums, count = {}, 0
for i = 1, #found, 2 do
  local key = head .. found[i]
  local state = state_of(stored_record(key), stamps_of(key), now, ARGV[2], now, false, '')
  if state and state.x > 0 then
    add_digest(sums, found[i], state)
    count = count + 1
  end
end
local place = #found == 2 * limit and 'xl' or ''
return with_sums({ place, found[#found] or '', found[#found - 1] or '', count }, sums)
