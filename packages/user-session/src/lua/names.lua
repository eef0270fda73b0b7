-- Name what another site has to know of a partition, a few hundred names at a time: sessions, then removals.
--
-- KEYS[1] due         zset: u or o and a realm, scored by when the first of its sessions may be over
-- ARGV[1] now         ms since the epoch
-- ARGV[2] place       empty at first
-- ARGV[3] afterScore  0 at first
-- ARGV[4] afterId     empty at first
-- ARGV[5] limit       how many to look at
-- ARGV[6] since       ms since the epoch: sessions that were written before are left out, by their stamps; 0: none is
--
-- Returns {place, score, id to go on with, how many it looked at, name...}; the place is empty at the end.

-- include: lag, keys, places
local since, head = tonumber(ARGV[6]), string.match(KEYS[1], '^(.*{%x%x}:)')

-- Whether a session was written since, or was never told of; what changed and has no stamp yet is on its way.
local function is_recent(name)
  if not string.find(name, '^[uo]s:') then
    return true
  end
  local fields = redis.call('HGETALL', head .. 'xs:' .. name)
  for i = 1, #fields, 2 do
    local field, value = fields[i], fields[i + 1]
    local at = field == 'x' and string.match(value, ' (%d+)$') or field ~= 'K' and string.sub(value, 1, 15)
    if at and (tonumber(at) or since) >= since then
      return true
    end
  end
  return #fields == 0
end

local names, place, score, id = walk_places(KEYS[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]))
local answer = { place, score, id, #names }
for _, name in ipairs(names) do
  if since == 0 or is_recent(name) then
    answer[#answer + 1] = name
  end
end
return answer
