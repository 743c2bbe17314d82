import type { NamingFacts, NamingRule } from './naming-rule.js'

/**
 * A rule that knows more: what `supply` gives for an output stands before what whoever renders says of it. A pure
 * function, as the rule is: the host's table of sessions, logins or stream names by participant.
 */
export function withFacts(rule: NamingRule, supply: (facts: NamingFacts) => Partial<NamingFacts>): NamingRule {
  return {
    elements: rule.elements,
    distinct: rule.distinct,
    ...(rule.indexSuffix === undefined ? undefined : { indexSuffix: rule.indexSuffix }),
    name: (facts, room) => {
      const more = supply(facts)
      const extras = { ...facts.extras, ...more.extras }
      return rule.name({ ...facts, ...more, extras }, room)
    },
  }
}
