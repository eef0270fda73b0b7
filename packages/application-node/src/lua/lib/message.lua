-- How a message stands: state, attempts, status, reason, nextAt, diesAt, owner, by spaces; '-' for none.
local function read_state(text)
  local state, attempts, status, reason, at, dies, owner =
    string.match(text or '', '^(%S+) (%d+) (%S+) (%S+) (%d+) (%d+) (%S+)$')
  if not state then
    return nil
  end
  return {
    state = state,
    attempts = tonumber(attempts),
    status = status,
    reason = reason,
    at = tonumber(at),
    dies = tonumber(dies),
    owner = owner,
    open = state == 'queued' or state == 'retrying',
  }
end

local function state_text(s)
  return string.format('%s %.0f %s %s %.0f %.0f %s', s.state, s.attempts, s.status, s.reason, s.at, s.dies, s.owner)
end
