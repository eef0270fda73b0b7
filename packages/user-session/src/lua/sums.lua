-- Add up digests of the living sessions of a partition, a few at a time, so that two sites can see whether they hold the same.
--
-- KEYS[1] due         zset: u or o and a realm, scored by when the first of its sessions may be over
-- ARGV[1] now         ms since the epoch
-- ARGV[2] site        the site that this is
-- ARGV[3] place       empty at first
-- ARGV[4] afterScore  0 at first
-- ARGV[5] afterId     empty at first
-- ARGV[6] limit       how many sessions
--
-- Returns {place, score, id to go on with, how many live, part, sum...}: the sums, below 2^48, by the first byte of the SHA-1 of a name; the place
-- is empty at the end.

-- include: lag, times, keys, reading, places, shared, digests
local now, head = tonumber(ARGV[1]), string.match(KEYS[1], '^(.*{%x%x}:)')
local names, place, score, id = walk_places(KEYS[1], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]))
local sums, count = {}, 0
for _, name in ipairs(names) do
  local values = string.find(name, '^[uo]s:') and values_of(head .. name)
  if values and values.t.expires > now then
    local state = state_of(values, stamps_of(head .. name), now, ARGV[2], now, string.sub(name, 1, 1) == 'o', false)
    if state and state.g then
      -- None is of the session: which removals it has outlived, and how its tokens came to be.
      state.d, state.k, state.u = nil, nil, nil
      add_digest(sums, name, state)
      count = count + 1
    end
  end
end
return with_sums({ place, score, id, count }, sums)
