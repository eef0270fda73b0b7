-- An index may lag this far behind a session, ms.
local SLACK = 60000
