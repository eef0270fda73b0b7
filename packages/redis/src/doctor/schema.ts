const VERDICTS = ['ok', 'warn', 'fail', 'unknown', 'skip'] as const

/** JSON Schema (2020-12) of an `Examination` written as JSON, for programs that read it. */
export const examinationSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Examination of a Redis deployment',
  type: 'object',
  additionalProperties: false,
  required: ['target', 'mode', 'server', 'prefix', 'partitions', 'at', 'findings', 'summary'],
  properties: {
    target: { type: 'string' },
    mode: { enum: ['standalone', 'sentinel', 'cluster'] },
    server: { type: 'string' },
    prefix: { type: 'string' },
    partitions: { type: 'integer', minimum: 1, maximum: 256 },
    at: { type: 'integer' },
    findings: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'verdict', 'spi', 'measured', 'message', 'docs'],
        properties: {
          id: { type: 'string', pattern: '^[a-z]+([.-][a-z]+)*$' },
          verdict: { enum: VERDICTS },
          spi: { type: 'array', items: { type: 'string' } },
          measured: { type: 'object', additionalProperties: { type: ['number', 'string', 'boolean'] } },
          message: { type: 'string' },
          fix: { type: 'string' },
          docs: { type: 'string' },
        },
      },
    },
    summary: {
      type: 'object',
      additionalProperties: false,
      required: VERDICTS,
      properties: Object.fromEntries(VERDICTS.map((verdict) => [verdict, { type: 'integer', minimum: 0 }])),
    },
  },
} as const
