-- Times alone, which a site tells where nothing else of a session changed: what the session began with, as it is stamped, its startedAt,
-- lastRefreshAt and expiresAt, and for each client session a colon, the client, a colon, its stamp, lastRefreshAt and expiresAt.
-- src/times-alone.ts is the same in TypeScript.

-- What is kept beside a record lives this much longer or shorter than it should, ms, so that a touch need not look after it each time.
local HOUR = 3600000

-- Where stamps of a record are.
local function place_of_stamps(key)
  local _, head = string.find(key, '{%x%x}:')
  return string.sub(key, 1, head) .. 'xs:' .. string.sub(key, head + 1)
end

-- Notes beside a record its end and last use, of which other sites know.
local function note_use(beside, held_ends, refreshed, expires, now)
  redis.call('HSET', beside, 'x', expires .. ' ' .. refreshed)
  if math.floor(held_ends / HOUR) ~= math.floor(expires / HOUR) then
    -- include: index-lives
    redis.call('PEXPIRE', beside, string.format('%.0f', math.max(expires - now, 0) + DAY))
  end
end
