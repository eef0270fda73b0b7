-- An index may lag this far behind a session, ms.
local SLACK = 60000

-- Times: startedAt, lastRefreshAt, expiresAt, score in the indexes, r for remember-me; of a client session with its data
-- behind them.
local function times(text)
  local started, refreshed, expires, score, flag, data = string.match(text or '', '^(%d+) (%d+) (%d+) (%d+)(r?) ?(.*)$')
  return started and {
    started = tonumber(started),
    refreshed = tonumber(refreshed),
    expires = tonumber(expires),
    score = tonumber(score),
    remember = flag == 'r',
    data = data,
  }
end

-- Text of times, and of the data behind them.
local function text_of(t)
  local text = string.format('%.0f %.0f %.0f %.0f', t.started, t.refreshed, t.expires, t.score)
  if t.remember then
    text = text .. 'r'
  end
  return t.data ~= '' and text .. ' ' .. t.data or text
end

-- Whether an index is too far from what it stands for.
local function astray(expires, score, idle)
  return score > expires or expires - score > math.min(SLACK, idle / 30)
end
