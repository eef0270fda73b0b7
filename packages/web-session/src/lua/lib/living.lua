-- include: lag, place
-- Of an index of a realm: tells whether a session is alive, by what the index calls it. One that is scored more than a minute away is;
-- of the others their records say it.
local function living_in(realm_index, now)
  local head, realm = place(realm_index)
  return function(entry, score)
    if score and tonumber(score) > now + LAG then
      return true
    end
    local id = string.match(entry, '^[^:]*', 9)
    local start = redis.call('GETRANGE', head .. 'wo:' .. realm .. ':' .. id, 0, 31)
    local ends, decimal = string.match(start, '^2:(%w+):'), string.match(start, '^1:(%d+):')
    -- What another version wrote is told of.
    return start ~= '' and string.sub(start, 1, 2) ~= '0:' and (tonumber(ends or '', 36) or tonumber(decimal or '') or now + 1) > now
  end
end
