-- Sends as many requests in one write as the argument says.

function init(args)
  local one = wrk.format()
  requests = string.rep(one, tonumber(args[1]))
end

function request()
  return requests
end
