-- Posts as many bytes as the argument says.

function init(args)
  post = wrk.format("POST", nil, nil, string.rep("x", tonumber(args[1])))
end

function request()
  return post
end
