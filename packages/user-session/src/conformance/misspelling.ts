import assert from 'node:assert/strict'
import { refusesMisspelling, type SuiteBuilder, taker } from '@authstate/conformance'
import type {
  ClientRemoval,
  ClientScope,
  ClientSessionPatch,
  ClientTokenRotation,
  CreateUserSession,
  NewClientSession,
  NewUserSession,
  OfflineCopy,
  PageRequest,
  SessionScope,
  TransientTokenRotation,
  TwinScope,
  UserRemoval,
  UserSessionListenerOptions,
  UserSessionPatch,
  UserSessionProvider,
} from '../contract.js'
import { createS3, login, plain } from './fixture.js'

const CLIENT = {
  clientId: 'c',
  protocol: 'p',
  redirectUri: 'u',
  action: 'a',
  nodeHost: 'h',
  applicationSessionId: 's',
  notes: {},
} as const
const LOGIN = {
  userId: 'misspelt',
  loginUsername: 'misspelt',
  ipAddress: '127.0.0.1',
  authMethod: 'form',
  rememberMe: true,
  brokerSessionId: 'b',
  brokerUserId: 'bu',
  notes: {},
  client: CLIENT,
  authenticatedAt: 1,
} as const
const ROTATION = {
  family: 'f',
  presented: 'a',
  next: 'b',
  issuedAt: 1,
  maxReuse: 0,
  attempt: 't',
  graceMs: 1,
} as const
const PAGE = { limit: 1, cursor: 'c', offline: false } as const

/** Properties that nobody reads. */
export function misspelling(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic(
    'arguments: a misspelt property is refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      const [s0] = await createS3(provider)
      const { id } = s0
      const scoped = (call: (scope: SessionScope) => unknown) => [
        taker<SessionScope>({ offline: false }, call),
      ]
      const scopedToClient = (call: (scope: ClientScope) => unknown) => [
        taker<ClientScope>({ offline: false, clientId: 'test-app' }, call),
      ]
      const paged = (call: (page: PageRequest) => unknown) => [taker<PageRequest>(PAGE, call)]
      const creates = (call: (session: CreateUserSession) => unknown) => [
        taker<CreateUserSession>({ ...LOGIN, transient: true }, call),
        taker<NewClientSession>(CLIENT, (client) => call({ ...login('misspelt'), client })),
      ]
      await refusesMisspelling<UserSessionProvider>({
        create: creates((session) => provider.create('test', session)),
        get: scopedToClient((scope) => provider.get('test', id, scope)),
        refresh: scopedToClient((scope) => provider.refresh('test', id, scope)),
        touch: scopedToClient((scope) => provider.touch('test', id, scope)),
        update: [
          taker<UserSessionPatch>({ state: 'LOGGED_IN', notes: {} }, (patch) =>
            provider.update('test', id, patch),
          ),
          ...scoped((scope) => provider.update('test', id, {}, scope)),
        ],
        restart: [
          taker<NewUserSession>({ ...LOGIN, userId: 'user1' }, (session) =>
            provider.restart('test', id, session),
          ),
        ],
        remove: scoped((scope) => provider.remove('test', id, scope)),
        putClientSession: [
          taker<NewClientSession>(CLIENT, (client) => provider.putClientSession('test', id, client)),
          ...scoped((scope) => provider.putClientSession('test', id, CLIENT, scope)),
        ],
        updateClientSession: [
          taker<ClientSessionPatch>({ ...CLIENT, clientId: 'test-app' }, (patch) =>
            provider.updateClientSession('test', id, patch),
          ),
          ...scoped((scope) => provider.updateClientSession('test', id, { clientId: 'test-app' }, scope)),
        ],
        removeClientSession: [
          taker<ClientRemoval>({ offline: false, endWhenLast: true }, (removal) =>
            provider.removeClientSession('test', id, 'test-app', removal),
          ),
        ],
        createOffline: [
          taker<OfflineCopy>({ clientIds: ['test-app'], authenticatedAt: 1 }, (copy) =>
            provider.createOffline('test', id, copy),
          ),
        ],
        rotateRefreshToken: [
          taker<ClientTokenRotation>({ ...ROTATION, clientId: 'test-app', offline: false }, (rotation) =>
            provider.rotateRefreshToken('test', id, rotation),
          ),
        ],
        rotateTransientToken: [
          taker<TransientTokenRotation>({ ...ROTATION, lifespanMs: 1 }, (rotation) =>
            provider.rotateTransientToken('test', rotation),
          ),
        ],
        listByUser: paged((page) => provider.listByUser('test', 'user1', page)),
        listByClient: paged((page) => provider.listByClient('test', 'test-app', page)),
        listByBrokerUser: paged((page) => provider.listByBrokerUser('test', 'bu', page)),
        list: paged((page) => provider.list('test', page)),
        findByBrokerSession: scoped((scope) => provider.findByBrokerSession('test', 'b', scope)),
        listByBrokerSession: paged((page) => provider.listByBrokerSession('test', 'b', page)),
        removeByBrokerSession: [
          taker<TwinScope>({ offline: 'both' }, (scope) =>
            provider.removeByBrokerSession('test', 'b', scope),
          ),
        ],
        count: scoped((scope) => provider.count('test', scope)),
        countByClient: scoped((scope) => provider.countByClient('test', 'test-app', scope)),
        clientStats: scoped((scope) => provider.clientStats('test', scope)),
        removeByUser: [
          taker<UserRemoval>({ offline: false, except: id }, (removal) =>
            provider.removeByUser('test', 'user1', removal),
          ),
        ],
        removeByClient: scoped((scope) => provider.removeByClient('test', 'test-app', scope)),
        removeByRealm: [],
        recompute: [],
        sweep: [],
        on: [
          taker<UserSessionListenerOptions>({ notes: true }, (options) =>
            provider.on('removed', () => {}, options),
          ),
        ],
        stats: [],
      })
      assert.deepEqual(plain(await provider.get('test', id)), plain(s0))
      assert.equal(await provider.count('test'), 3)
      assert.equal(await provider.count('test', { offline: true }), 0)
    },
  )

  add.basic(
    'realm settings: a misspelt one is refused by the first verb that reads them',
    'issue: bad input',
    async ({ provider, setRealm }) => {
      for (const [wrong, message] of [
        [{ ssoSessionIdleTimeout: 1 }, /'ssoSessionIdleTimeout'.*'ssoSessionIdleTimeoutMs'/],
        [{ rememberMe: 'no' }, /rememberMe/],
      ] as const) {
        setRealm('test', wrong as never)
        await assert.rejects(provider.create('test', login()), { name: 'TypeError', message })
      }
      setRealm('test', { clients: () => ({ sessionIdleTimeout: 1 }) as never })
      await assert.rejects(provider.create('test', login('u', { client: CLIENT })), {
        name: 'TypeError',
        message: /'sessionIdleTimeout'.*'sessionIdleTimeoutMs'/,
      })
      setRealm('test', {})
      assert.equal(await provider.count('test'), 0)
    },
  )
}
