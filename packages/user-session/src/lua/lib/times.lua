-- Times of a session: version of the record, startedAt, lastRefreshAt, expiresAt, score in the indexes; o when each of its
-- client sessions is scored by an end of its own, and not by that of the session; r for remember-me.
local function times(text)
  local version, started, refreshed, expires, score, own, flag = string.match(text or '', '^v(%d+) (%d+) (%d+) (%d+) (%d+)(o?)(r?)$')
  return version and {
    version = version,
    started = tonumber(started),
    refreshed = tonumber(refreshed),
    expires = tonumber(expires),
    score = tonumber(score),
    own = own == 'o',
    remember = flag == 'r',
  }
end

local function text_of(t)
  local text = string.format('v1 %.0f %.0f %.0f %.0f', t.started, t.refreshed, t.expires, t.score)
  return text .. (t.own and 'o' or '') .. (t.remember and 'r' or '')
end

-- A client session: startedAt, lastRefreshAt, expiresAt, score in the index by client, client, data.
local function client_session(text)
  local started, refreshed, expires, score, client, data = string.match(text or '', '^c (%d+) (%d+) (%d+) (%d+) ([^{]*) (){')
  return started and {
    started = tonumber(started),
    refreshed = tonumber(refreshed),
    expires = tonumber(expires),
    score = tonumber(score),
    client = client,
    data = string.sub(text, data),
  }
end

local function client_text(c)
  return string.format('c %.0f %.0f %.0f %.0f ', c.started, c.refreshed, c.expires, c.score) .. c.client .. ' ' .. c.data
end
