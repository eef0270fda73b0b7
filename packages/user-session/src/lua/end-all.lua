-- End the living sessions of an index, looking at some entries, and refuse what began earlier.
--
-- KEYS[1] index       zset: session ids, scored by expiresAt or a little less
-- KEYS[2] fence       string: a mark, what began before it is refused
-- ARGV[1] now         ms since the epoch
-- ARGV[2] mark        of this removal
-- ARGV[3] fenceMs     how long the fence stands, ms
-- ARGV[4] except      id of the session that stays, empty for none
-- ARGV[5] afterScore  0 at first
-- ARGV[6] afterId     empty at first
-- ARGV[7] limit       entries to look at, a hundred at most
-- ARGV[8] tell        1: say which ended; 0: only how many
--
-- Returns {score, id to go on behind or empty at the end, how many ended, JSON of them: [[id, user, [client...]]...]}.

-- include: lag, times, keys, reading, ending, fence, mark
local now = tonumber(ARGV[1])
raise(KEYS[2], ARGV[2], ARGV[3])

local limit = tonumber(ARGV[7])
local first = behind(KEYS[1], ARGV[5], ARGV[6], now)
local entries = redis.call('ZRANGE', KEYS[1], first, first + limit - 1, 'WITHSCORES')
local head, kind, _, realm = parts(KEYS[1])
local sessions = sessions_of(KEYS[1])
local ids, ends = {}, {}
for i = 1, #entries, 2 do
  local key = sessions .. entries[i]
  if entries[i] ~= ARGV[4] and stands(key, entries[i + 1], '', now) then
    ids[#ids + 1] = entries[i]
    ends[#ends + 1] = entry_of(key, entries[i])
  end
end
local ended = drop_all(head .. kind, realm, ends)
-- A record that can not be read does not say whose it was.
leave(KEYS[1], ids)
local answer = { '', '', #ended, ended[1] and ARGV[8] == '1' and cjson.encode(ended) or '[]' }
if #entries == 2 * limit then
  answer[1], answer[2] = entries[#entries], entries[#entries - 1]
end
return answer
