-- Decides on a presented refresh token. A family is "uses:rotatedAt:presented:successor:attempt", uses 0: it ended.
-- Answers an outcome (foreign: stale, but nothing ends), the successor, and the family afterwards if it changes.
local function decide(family, not_before, now, presented, successor, issued, max_reuse, attempt, grace)
  local function accept(uses)
    return 'rotated', successor, uses .. ':' .. now .. ':' .. presented .. ':' .. successor .. ':' .. attempt
  end
  if not family then
    if issued < not_before then
      return 'foreign'
    end
    return accept(1)
  end
  local uses, rotated, last, newest, by = string.match(family, '^(%d+):(%d+):([^:]*):([^:]*):([^:]*)$')
  -- One that can not be read has ended, too.
  if not uses or uses == '0' then
    return 'foreign'
  end
  if presented == newest then
    return accept(1)
  end
  if presented == last then
    if attempt ~= '' and attempt == by and tonumber(now) - tonumber(rotated) <= grace then
      return 'rotated', newest
    end
    if tonumber(uses) > max_reuse then
      return 'reused'
    end
    return accept(tonumber(uses) + 1)
  end
  if issued <= tonumber(rotated) then
    return 'stale'
  end
  return accept(1)
end
