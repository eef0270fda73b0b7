-- Makes Redis keep a key for at least `ms`: an index lives as long as its longest member.
local function keep(key, ms)
  if redis.call('PTTL', key) < tonumber(ms) then redis.call('PEXPIRE', key, ms) end
end
