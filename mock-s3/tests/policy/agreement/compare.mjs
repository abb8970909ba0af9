// Asks @cloud-copilot/iam-simulate the questions of a file and compares its decisions with ours:
// compare.mjs QUESTIONS DECISIONS DIFFERENCES. Run by `run`; the package is never part of this repository.

import fs from 'node:fs'
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'

const [questions, decisions, differences] = process.argv.slice(2)
const lines = (file) => fs.readFileSync(file, 'utf8').trim().split('\n')
const ours = lines(decisions)
const WORDS = { allowed: 'Allowed', explicitDeny: 'ExplicitlyDenied', implicitDeny: 'ImplicitlyDenied' }

const EVERYTHING = { Effect: 'Allow', Action: '*', Resource: '*' }
const document = (statements) => ({ Version: '2012-10-17', Statement: statements })
const named = (documents, prefix) =>
  (documents ?? []).map((statements, at) => ({ name: `${prefix}${at}`, policy: document(statements) }))
const levels = (all) =>
  (all ?? []).map((level, at) => ({ orgIdentifier: `level${at}`, policies: named(level, `policy${at}-`) }))

function simulation(asked) {
  const anonymous = asked.caller === 'anonymous'
  const root = asked.caller.endsWith(':root')
  const context = { ...asked.context }
  if (!anonymous) {
    const [, , , , account, what] = asked.caller.split(':')
    const [kind, name] = what.split('/')
    const session = kind === 'assumed-role'
    context['aws:PrincipalArn'] = session ? `arn:aws:iam::${account}:role/${name}` : asked.caller
    if (!session && !root) context['aws:username'] = name
  }
  return {
    request: {
      principal: anonymous ? anonymousPrincipal : asked.caller,
      action: asked.action,
      resource: { resource: asked.resource, accountId: asked.owner },
      contextVariables: context,
    },
    // It takes the root user for one without policies; AWS's may do everything that is not denied.
    identityPolicies: root ? named([[EVERYTHING]], 'root') : named(asked.identity, 'identity'),
    serviceControlPolicies: anonymous ? [] : levels(asked.scps),
    resourceControlPolicies: levels(asked.rcps),
    resourcePolicy: asked.bucket && document(asked.bucket),
    permissionBoundaryPolicies: asked.boundary && named([asked.boundary], 'boundary'),
    sessionPolicy: asked.session && document(asked.session[0]),
    additionalSettings: asked['restrict-public'] ? { s3: { blockPublicAccess: true } } : undefined,
  }
}

const table = {}
const out = fs.openSync(differences, 'w')
for (const [at, line] of lines(questions).entries()) {
  const asked = JSON.parse(line)
  const result = await runSimulation(simulation(asked), {})
  const refused = result.resultType === 'error'
  const theirs = refused ? `error ${JSON.stringify(result.errors)}` : result.overallResult
  const row = (table[asked.class] ??= { questions: 0, agreed: 0, Allowed: 0, ExplicitlyDenied: 0, ImplicitlyDenied: 0 })
  const decision = WORDS[ours[at].split(' ')[0]]
  row.questions += 1
  row[decision] += 1
  row.agreed += decision === theirs
  if (decision !== theirs) fs.writeSync(out, `${JSON.stringify({ ours: ours[at], theirs, ...asked })}\n`)
}
console.table(table)
const sum = (name) => Object.values(table).reduce((total, row) => total + row[name], 0)
const share = (100 * sum('agreed')) / sum('questions')
console.log(`${sum('agreed')} of ${sum('questions')} agree: ${share.toFixed(2)} %`)
const enough = sum('questions') >= 2000 && Object.values(table).every((row) => row.questions >= 100)
process.exit(enough && share >= 98 ? 0 : 1)
