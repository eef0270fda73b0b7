-- Add to the work channel what nodes of another site said, in order.
--
-- KEYS[1] events     stream: the work channel
-- KEYS[2] cluster    hash: _v, startedAt, version, gone, length
-- KEYS[3] told       hash: from, the last thing that was heard of that site
-- ARGV[1] site       whose nodes said it
-- ARGV[2] after      the last thing that this site has, as that one knows; empty: nothing
-- ARGV[3] batch      JSON: [[id, text]...]; an empty text says that something is missing
-- ARGV[4] gap        what is told in place of what is missing
-- ARGV[5] keepMs     ms
-- ARGV[6] maxLength  entries of the stream, where no node has said how many it keeps
-- ARGV[7] channel    where listeners are told
-- ARGV[8] sharded    1 on a Cluster
--
-- Each entry has a sender of its own, ~<site>.<id>, which nobody tells other sites of. Its number is 1; that of a gap is 2, so that one
-- is missing.
--
-- Returns how many were added.

local events, told, site = KEYS[1], KEYS[3], ARGV[1]
-- include: announce

-- A full server goes on with a script that began with a write that cannot grow. The stream is capped.
redis.call('PEXPIRE', events, ARGV[5])
local length = redis.call('HGET', KEYS[2], 'length') or ARGV[6]
local heard = redis.call('HGET', told, 'from') or ''
local batch = cjson.decode(ARGV[3])
local first = 1
for i, entry in ipairs(batch) do
  if entry[1] == heard then
    first = i + 1
  end
end
local added = 0
local function add(id, text)
  local number = text == '' and '2' or '1'
  text = text == '' and ARGV[4] or text
  redis.call('XADD', events, 'MAXLEN', '~', length, '*', 's', '~' .. site .. '.' .. id, 'n', number, 'e', text)
  added = added + 1
end
-- What was heard last is not what that site knows: one of both lost something.
if first == 1 and heard ~= ARGV[2] and batch[1][2] ~= '' then
  add(batch[1][1] .. '.lost', '')
end
for i = first, #batch do
  add(batch[i][1], batch[i][2])
end
redis.call('HSET', told, 'from', batch[#batch][1])
if added > 0 then
  redis.call('PEXPIRE', events, ARGV[5])
  announce(ARGV[7], ARGV[8], '')
end
return added
