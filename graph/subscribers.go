package graph

import (
	"context"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/ent/rule"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

var transports = map[transport.Kind]gql.SubscriberTransport{
	transport.OverWebSocket: gql.SubscriberTransportWebsocket,
	transport.OverSSE:       gql.SubscriberTransportSse,
	transport.OverMultipart: gql.SubscriberTransportMultipart,
}

// subscribers returns who is subscribed to something of a project at this process, in the order in which they came.
func (r *Resolver) subscribers(ctx context.Context, project int64) ([]*gql.Subscriber, error) {
	if err := rule.Require(ctx, r.Client, project, auth.Owner); err != nil {
		return nil, err
	}
	found := r.subscriptions.Subscribers(project)
	users, keys, err := r.whose(ctx, found)
	if err != nil {
		return nil, err
	}
	list := make([]*gql.Subscriber, len(found))
	for i, s := range found {
		p := auth.FromContext(s.Context)
		list[i] = &gql.Subscriber{
			ID: s.ID, User: users[p.User], Key: keys[p.Key], Field: s.Field, Since: s.Since, Sharing: max(s.Sharing, 1),
			Sent: s.Sent, Behind: s.Behind, Transport: transports[s.Kind],
		}
		if s.OperationName != "" {
			list[i].OperationName = &s.OperationName
		}
	}
	return list, nil
}

// whose returns the people and the keys behind subscribers, by their ids.
func (r *Resolver) whose(ctx context.Context, found []transport.Subscriber) (map[int64]*db.User, map[int64]*db.Key, error) {
	var userIDs, keyIDs []int64
	for _, s := range found {
		if p := auth.FromContext(s.Context); p.Kind == auth.User {
			userIDs = append(userIDs, p.User)
		} else {
			keyIDs = append(keyIDs, p.Key)
		}
	}
	users, err := r.Client.User.Query().Where(user.IDIn(userIDs...)).All(ctx)
	if err != nil {
		return nil, nil, err
	}
	keys, err := r.Client.Key.Query().Where(key.IDIn(keyIDs...)).All(ctx)
	if err != nil {
		return nil, nil, err
	}
	userOf, keyOf := make(map[int64]*db.User, len(users)), make(map[int64]*db.Key, len(keys))
	for _, u := range users {
		userOf[u.ID] = u
	}
	for _, k := range keys {
		keyOf[k.ID] = k
	}
	return userOf, keyOf, nil
}

// kickSubscriber ends a subscription.
func (r *Resolver) kickSubscriber(ctx context.Context, project, id int64) error {
	if err := rule.Require(ctx, r.Client, project, auth.Owner); err != nil {
		return err
	}
	if !r.subscriptions.Kick(project, id, fault.New(fault.Forbidden, "an owner of the project has ended this subscription")) {
		return fault.New(fault.NotFound, "not found")
	}
	return nil
}
