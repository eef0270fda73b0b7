-- End the living sessions of an index that began before a removal, a few at a time, and refuse logins that began before it.
--
-- KEYS[1] index       zset: session ids, scored by expiresAt or a little less
-- KEYS[2] fence       string: a mark, what began before it is refused
-- ARGV[1] now         ms since the epoch
-- ARGV[2] mark        of this removal; empty: it ends all, and refuses nothing
-- ARGV[3] fenceMs     how long the fence stands, ms
-- ARGV[4] tokensMs    how long refresh tokens without a session stay ended, those of a realm
-- ARGV[5] except      id of the session that stays, empty for none
-- ARGV[6] afterScore  0 at first
-- ARGV[7] afterId     empty at first
-- ARGV[8] limit       sessions to end, a hundred at most
-- ARGV[9] tell        1: say which ended; notes: with their data, for listeners who ask for notes; 0: only how many
--
-- Returns {score, id to go on behind or empty at the end, how many ended, JSON of them: [[id, user, [client...]]...], data...}.

-- include: lag, times, keys, reading, ending, fence, mark, walk
local now = tonumber(ARGV[1])
local head, kind, _, realm = parts(KEYS[1])
if ARGV[2] ~= '' then
  -- Further steps find the mark of the first.
  if ARGV[7] == '' or redis.call('GET', KEYS[2]) ~= ARGV[2] then
    raise(KEYS[2], ARGV[2], ARGV[3])
  end
  --@ if ARGV[7] == '' then changed('user-session-fence', KEYS[2], 'full') end
  if string.sub(KEYS[1], #head + 1, #head + 2) == 'ur' and ARGV[7] == '' then
    end_tokens(head .. 'ue:' .. realm, ARGV[2], ARGV[4])
    --@ changed('user-session-fence', head .. 'ue:' .. realm, 'full')
  end
end

-- Whether a session is of those that end. One that was stored before sessions said when they began did so when it started at
-- the latest, and one that cannot be read did at some time.
local latest, node, count = parts_of_mark(ARGV[2])
local function ends_now(beginning, times_text)
  local started = not beginning and string.match(times_text or '', '^v%d+ (%d+) ')
  beginning = beginning or started and started .. '000'
  return ARGV[2] == '' or not beginning or began_before_parts(beginning, latest, node, count)
end

local limit = tonumber(ARGV[8])
local first = behind(KEYS[1], ARGV[6], ARGV[7], now)
local sessions = sessions_of(KEYS[1])
local ids, ends, all_data, evicted = {}, {}, {}, {}
-- Those that began later are looked at and stay: fifty of them take about as long as the few that a step ends. It takes no more of them
-- at a time than it needs where all end, and one more to know whether there are others.
local looked, most, score, id = 0, math.max(limit, 50), '', ''
repeat
  local entries
  entries, score, id = walk(KEYS[1], first + looked, math.min(limit + 1, most - looked))
  looked = looked + #entries / 2
  for i = 1, #entries, 2 do
    local key = sessions .. entries[i]
    local held = entries[i] ~= ARGV[5] and stands(key, entries[i + 1], '', now) and redis.call('HMGET', key, 'b', 't', 'd')
    if held and ends_now(held[1], held[2]) then
      ids[#ids + 1] = entries[i]
      if not held[2] and redis.call('EXISTS', key) == 0 then
        evicted[#evicted + 1] = entries[i]
      else
        ends[#ends + 1], all_data[#all_data + 1] = entry_from(key, entries[i], held[2], held[3])
      end
      if #ends == limit then
        if i < #entries - 1 then
          score, id = entries[i + 1], entries[i]
        end
        break
      end
    end
  end
until score == '' or #ends == limit or looked >= most
--@details reason = ({ u = 'user', i = 'broker-session', r = 'realm' })[string.sub(KEYS[1], #head + 2, #head + 2)] or reason
local ended = drop_all(head .. kind, realm, ends)
-- A record that cannot be read does not say whose it was.
leave(KEYS[1], ids)
leave(head .. kind .. 'r:' .. realm, evicted)
local answer = { score, id, #ended, ended[1] and ARGV[9] ~= '0' and cjson.encode(ended) or '[]' }
for _, data in ipairs(ARGV[9] == 'notes' and all_data or {}) do
  answer[#answer + 1] = data
end
return answer
