-- Indexes score a session by an instant at which it has ended for sure: a minute later than its end when it is put there, so that what
-- moves the end by less than a minute leaves them alone. Whether it has ended is what its record says.
local LAG = 60000

-- Whether a score still stands for an end.
local function stands_for(score, expires)
  return score >= expires and score - expires <= LAG
end
