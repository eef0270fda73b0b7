-- An index may lag this far behind a session, ms.
local SLACK = 60000

-- A field of times: startedAt, lastRefreshAt, expiresAt, score in the indexes, r for remember-me.
local function times(text)
  local started, refreshed, expires, score, flag = string.match(text or '', '^(%d+) (%d+) (%d+) (%d+)(r?)$')
  return started and {
    started = tonumber(started),
    refreshed = tonumber(refreshed),
    expires = tonumber(expires),
    score = tonumber(score),
    remember = flag == 'r',
  }
end

-- Text of a field of times.
local function text_of(t)
  local text = string.format('%.0f %.0f %.0f %.0f', t.started, t.refreshed, t.expires, t.score)
  return t.remember and text .. 'r' or text
end

-- Whether an index is too far from what it stands for.
local function astray(expires, score, idle)
  return score > expires or expires - score > math.min(SLACK, idle / 30)
end
