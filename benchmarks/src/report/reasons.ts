/** What probably makes a target be missed, from profiles and from the code. Printed for those that are. */
export const REASONS: Readonly<Record<string, string>> = {
  D3: 'a session is a hash of two fields and one per client, so that a refresh rewrites its times and those of one client, and nothing else. Every field costs more than its text.',
  D4: 'a bare string under the same key takes 201 bytes, most of them for the key; a token is a string that begins with a format version, its own end, family and subject.',
  D8: 'the target was set for one ZCOUNT. A count asks each of the 16 partitions by a script, all in one round trip: the whole is a price of partitions, and what each of them adds is the second figure.',
  D9: 'a script for each few sessions: every other caller waits for one of them at most, and many scripts take longer than a few long ones. The process that sweeps, its neighbour and the server share two cores here.',
  R1: 'a session comes as five texts where one would be parsed at once, and a call passes checks, a deadline and the hiding of its arguments from tracing.',
  R2: 'a session comes as three texts of which two are parsed, where one would be parsed at once.',
  R3: 'the step that creates checks the fences of user and realm, writes four indexes with time-outs of their own and prunes them; SET writes one key.',
  R4: 'a touch reads the times of the session in a script and decides by them; PEXPIRE looks at nothing. The way through a script costs the client more than a plain command.',
  R5: 'creation writes the indexes that connect-redis does not have, see R3.',
  R6: 'a failure reads ten fields and decides by a policy, in the client and in a script; the limiter increments one key.',
  R7: 'a token is put by a script that keeps families, subjects and an index of the realm, and is consumed by one that leaves a mark; SET and GETDEL keep nothing.',
  R8: 'see R3: the adapter writes its session and one alias, and no index.',
  R9: 'batches only form where replies come in batches; a busy machine hands them over one by one.',
  R10: 'a hit looks at trust, at life and at the counters of the region; lru-cache at nothing but the key.',
  R11: 'an invalidation goes through a stream that is kept, so that nothing is lost over a reconnect, is numbered by its sender in a script, and wakes the sender too. Pub/sub forgets what nobody hears; what a stream alone costs, with one for each direction, is in the table as "a stream by hand".',
  R12: 'the step runs longer in the server than the plain commands of the other layout, see R3, and both sides batch their writes: several small commands gain more by that than one.',
}
