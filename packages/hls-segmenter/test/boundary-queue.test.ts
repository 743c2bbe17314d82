import { expect, it } from 'vitest'
import { BoundaryQueue } from '../src/boundary-queue.js'

const at = (startUs: number, discontinuity = false): { startUs: number; discontinuity: boolean } => ({
  startUs,
  discontinuity,
})

it('gives a boundary once its time has come, and once', () => {
  const queue = new BoundaryQueue()
  queue.push(at(10))
  queue.push(at(20, true))
  expect(queue.takeUntil(9)).toBeUndefined()
  expect(queue.takeUntil(10)).toEqual(at(10))
  expect(queue.takeUntil(19)).toBeUndefined()
  expect(queue.takeUntil(20)).toEqual(at(20, true))
  expect(queue.takeUntil(99)).toBeUndefined()
})

it('joins those that have passed, and forgets no discontinuity', () => {
  const queue = new BoundaryQueue()
  for (const boundary of [at(10), at(20, true), at(30)]) queue.push(boundary)
  expect(queue.takeUntil(40)).toEqual(at(30, true))
})

it('does not grow while nobody takes any', () => {
  const queue = new BoundaryQueue()
  for (let index = 1; index <= 1000; index++) queue.push(at(index, index === 500))
  expect(queue.takeUntil(1)).toEqual(at(1, true))
  expect(queue.takeUntil(999)).toBeUndefined()
  expect(queue.takeUntil(1000)).toEqual(at(1000))
})
