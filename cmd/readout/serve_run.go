package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"
)

// Run serves until ctx ends or something that it needs does, and returns when everything has stopped.
func (s *server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	draining, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()
	ending, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()

	drained := make(chan error, 1)
	go func() { drained <- s.journal.Run(draining) }()
	var engines errgroup.Group
	for _, e := range s.engines {
		engines.Go(func() error { return e.Run(ending) })
	}
	go func() {
		select {
		case <-s.replicas.Ready(): // they know of us: what we store will be seen by who asks them
		case <-ctx.Done():
		}
		cancel(cmp.Or(s.listen(), http.ErrServerClosed))
	}()
	go func() {
		select {
		case <-s.database.died():
			cancel(errors.New("the embedded PostgreSQL ended by itself: its log is postgres.log in the data folder"))
		case <-ending.Done():
		}
	}()

	<-ctx.Done()
	cause := context.Cause(ctx)
	s.log.InfoContext(ctx, "stopping", "why", cause.Error())
	err := s.stop(func() error { drain(); return <-drained }, func() error { end(); return engines.Wait() })
	if errors.Is(cause, context.Canceled) || errors.Is(cause, http.ErrServerClosed) {
		return err
	}
	return errors.Join(cause, err)
}

// listen serves what comes until the server is shut down.
func (s *server) listen() error {
	if s.tls != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}

// stop is the end of Run: in the reverse order of the data's flow, so that nothing that was taken in is lost.
func (s *server) stop(drain, end func() error) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.ShutdownGrace)
	defer cancel()
	var errs []error
	sockets := make(chan error, 1)
	go func() { sockets <- s.graph.Shutdown(ctx) }()
	if err := s.http.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("end the requests under way: %w", err), s.http.Close())
	}
	errs = append(errs, <-sockets, drain(), end(), s.database.close())
	return errors.Join(errs...)
}

// close gives up a server that never ran.
func (s *server) close() error { return errors.Join(s.listener.Close(), s.database.close()) }
