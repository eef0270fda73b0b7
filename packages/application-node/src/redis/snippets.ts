import finishLua from '../lua/lib/finish.lua'
import keptLua from '../lua/lib/kept.lua'
import laneLua from '../lua/lib/lane.lua'
import messageLua from '../lua/lib/message.lua'

/** Lua that several scripts include by name. */
export const snippets = { finish: finishLua, kept: keptLua, lane: laneLua, message: messageLua }
