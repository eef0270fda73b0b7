-- Takes out entries of an index that should be alive and whose records are gone: Redis can evict them. Looks at twenty, and
-- at a thousand where one is gone. Answers how many it took out.
local function take_out_vanished(index, now)
  local sessions = sessions_of(index)
  local first = redis.call('ZCOUNT', index, '-inf', now)
  local alive = redis.call('ZCARD', index) - first
  if alive == 0 then
    return 0
  end
  local from = alive > 20 and first + now % (alive - 19) or first
  local function look(many)
    local gone = 0
    for _, id in ipairs(redis.call('ZRANGE', index, from, from + many - 1)) do
      if redis.call('EXISTS', sessions .. id) == 0 then
        -- A replica, or a server without enough of them, refuses it: then a later look takes it out.
        if type(redis.pcall('ZREM', index, id)) == 'table' then
          return gone
        end
        gone = gone + 1
      end
    end
    return gone
  end
  local gone = look(20)
  return gone > 0 and gone + look(1000) or 0
end
