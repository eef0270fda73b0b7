-- Look at what the user of the connection may run, without running it.
--
-- KEYS[1] layout    any key of the library
-- ARGV[1] commands  JSON: commands, each with the arguments by which Redis finds its keys
--
-- Returns the names of those that may not be run; none on a Redis that cannot say (before 7.0).

local refused = {}
if not redis.acl_check_cmd then
  return refused
end

local function ask(command)
  if #command == 1 then
    return redis.acl_check_cmd(command[1])
  elseif #command == 2 then
    return redis.acl_check_cmd(command[1], command[2])
  elseif #command == 3 then
    return redis.acl_check_cmd(command[1], command[2], command[3])
  end
  return redis.acl_check_cmd(command[1], command[2], command[3], command[4])
end

for _, command in ipairs(cjson.decode(ARGV[1])) do
  -- An unknown command is an error, which the server will tell of when it is used.
  local is_known, may = pcall(ask, command)
  if is_known and not may then
    refused[#refused + 1] = command[1]
  end
end
return refused
