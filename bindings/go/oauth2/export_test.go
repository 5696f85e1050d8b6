package cliauthoauth2

import "time"

// Pass lets the clock of a source jump ahead. It otherwise stands still, so that a slow machine changes nothing.
func (s *TokenSource) Pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().Add(d)
	s.now = func() time.Time { return now }
}
