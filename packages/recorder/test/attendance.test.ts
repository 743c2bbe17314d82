import { expect, test } from 'vitest'
import { Attendance } from '../src/attendance.js'

test('whoever came with a track leaves with the last one', () => {
  const people = new Attendance()
  expect(people.enter('alice', false)).toBe(true)
  people.trackBegan('alice')
  people.trackBegan('alice')
  people.trackEnded('alice')
  expect(people.leaveIfGone('alice')).toBe(false)
  people.trackEnded('alice')
  expect(people.leaveIfGone('alice')).toBe(true)
  expect(people.size).toBe(0)
})

test('whoever was announced stays without tracks, until dismissed', () => {
  const people = new Attendance()
  people.enter('alice', false)
  expect(people.enter('alice', true)).toBe(false)
  people.trackBegan('alice')
  people.trackEnded('alice')
  expect(people.leaveIfGone('alice')).toBe(false)
  expect(people.dismiss('alice')).toBe(true)
  expect(people.leaveIfGone('alice')).toBe(true)
})

test('nobody is dismissed, leaves or has tracks who is not there', () => {
  const people = new Attendance()
  expect(people.dismiss('bob')).toBe(false)
  expect(people.leaveIfGone('bob')).toBe(false)
  people.trackBegan('bob')
  people.trackEnded('bob')
  expect(people.size).toBe(0)
})
