-- Times of a session: version of the record, startedAt, lastRefreshAt, expiresAt, score in the indexes; o when each of its
-- client sessions is scored by an end of its own, and not by that of the session; r for remember-me. In version 2 the links of the
-- session stand behind: user, broker session and broker user.
local function times(text)
  local version, started, refreshed, expires, score, own, flag, rest = string.match(text or '', '^v(%d+) (%d+) (%d+) (%d+) (%d+)(o?)(r?)(.*)$')
  if not version or (version == '1' and rest ~= '') or (version == '2' and not string.find(rest, '^ [^:]*:[^:]*:[^:]*$')) then
    return nil
  end
  return {
    version = version,
    started = tonumber(started),
    refreshed = tonumber(refreshed),
    expires = tonumber(expires),
    score = tonumber(score),
    own = own == 'o',
    remember = flag == 'r',
    links = version == '2' and string.sub(rest, 2) or nil,
  }
end

local function text_of(t)
  local text = string.format('v%s %.0f %.0f %.0f %.0f', t.version, t.started, t.refreshed, t.expires, t.score)
  return text .. (t.own and 'o' or '') .. (t.remember and 'r' or '') .. (t.links and ' ' .. t.links or '')
end

-- A client session: startedAt, lastRefreshAt, expiresAt, score in the index by client, client; in version 1 its data behind them.
local function client_session(text)
  local started, refreshed, expires, score, client, data = string.match(text or '', '^c (%d+) (%d+) (%d+) (%d+) ([^{]*)(.*)$')
  return started and {
    started = tonumber(started),
    refreshed = tonumber(refreshed),
    expires = tonumber(expires),
    score = tonumber(score),
    client = data == '' and client or string.sub(client, 1, -2),
    data = data ~= '' and data or nil,
  }
end

local function client_text(c)
  local text = string.format('c %.0f %.0f %.0f %.0f ', c.started, c.refreshed, c.expires, c.score) .. c.client
  return c.data and text .. ' ' .. c.data or text
end

-- In version 2, what a client session holds, for a field of its own.
local function about_client(client, data)
  return 'a ' .. client .. ' ' .. data
end
