-- Give out a shared value that is true, or a ticket with which the one who asks the source may put it here.
--
-- Both are one text: kind (l ticket, v value, n nothing in the source), ticket, generation and revision it was begun at,
-- end here, end of the value (0: none), tags, and behind a line feed the value.
--
-- KEYS[1] value       what is looked for
-- KEYS[2] generation  of the region in this partition, and its revision
-- KEYS[3] tags        base to which a tag is appended: generation and revision at which it was last declared untrue, or first
--                     carried
-- ARGV[1] now         ms since the epoch
-- ARGV[2] ticket      for the one who asks the source, where there is no other
-- ARGV[3] fresh       generation to begin with, where there is none
-- ARGV[4] ticketMs    how long a ticket is good, ms
-- ARGV[5] keepMs      how long generations last unused, ms
-- ARGV[6] anew        1: a value that is true is not given out, its ticket is
--
-- Returns {ticket} or {ticket, kind, end of the value, tags as JSON, value}.

local generation, revision = string.match(redis.call('GET', KEYS[2]) or '', '^(%S+) (%d+)$')
if not generation then
  generation, revision = ARGV[3], '0'
  redis.call('SET', KEYS[2], generation .. ' 0', 'PX', ARGV[5])
end

local function is_true(tags, since)
  local is_json, names = pcall(cjson.decode, tags)
  if not is_json or type(names) ~= 'table' then
    return false
  end
  for _, name in ipairs(names) do
    local declared = redis.call('GET', KEYS[3] .. tostring(name))
    local at_generation, at = string.match(declared or '', '^(%S+) (%d+)$')
    -- Who put the value there saw to it that there is one. Redis may have evicted it, and with it that the value is untrue.
    if not at or (at_generation == generation and tonumber(at) > since) then
      return false
    end
  end
  return true
end

local text = redis.call('GET', KEYS[1]) or ''
local kind, ticket, begun, at, ends, value_ends, tags, rest =
  string.match(text, '^(%l)1 (%S+) (%S+) (%d+) (%d+) (%d+) ([^\n]*)\n()')
if begun == generation then
  if kind == 'l' then
    return { ticket }
  end
  if tonumber(ends) > tonumber(ARGV[1]) and is_true(tags, tonumber(at)) then
    if ARGV[6] ~= '1' then
      return { ticket, kind, value_ends, tags, string.sub(text, rest) }
    end
    -- True as of now, so whatever takes its place need not be older than that.
    local head = table.concat({ kind .. '1', ticket, generation, revision, ends, value_ends, tags }, ' ')
    redis.call('SET', KEYS[1], head .. string.sub(text, rest - 1), 'KEEPTTL')
    return { ticket }
  end
end

redis.call('SET', KEYS[1], table.concat({ 'l1', ARGV[2], generation, revision, '0 0 []\n' }, ' '), 'PX', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return { ARGV[2] }
